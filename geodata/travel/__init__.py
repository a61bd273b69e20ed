"""Minutes from villages to schools: computed, observed, brought along."""
