"""What notebooks and programs call: train, evaluate, export and load a recipe, by the commands' functions."""
