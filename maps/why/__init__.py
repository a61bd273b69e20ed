"""Why a plan decides as it does: sentences, a page for each school and village, the folder that they lie in."""
