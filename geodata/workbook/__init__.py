"""One workbook as a whole county: its settings sheet and what else stands there item by item."""
