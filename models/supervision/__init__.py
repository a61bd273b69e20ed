"""Supervision: last year's plan and tables beside this year's (docs/supervision.md)."""
