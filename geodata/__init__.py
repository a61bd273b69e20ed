"""What is there? Tables, coordinates, roads, travel times, catchments."""
