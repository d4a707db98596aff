"""Data sets, images and loaders: from what a user names to batches of faces."""
