"""Files of the map page: style and script, put into every map as text."""
