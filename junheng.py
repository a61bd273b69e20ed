"""The front door in Python: `import junheng as jh`."""
