"""The dossier as pages: what an official reads in three minutes, and a page for each place that changes."""
