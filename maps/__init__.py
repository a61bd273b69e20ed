"""How is it seen? Folium maps, charts, workbooks, the dossier."""
