"""What is decided: tables, costs, reasons, comparison."""
