"""Corrections of a county's tables: the sheet that goes out, what comes back, the corrected copy with its trail."""
