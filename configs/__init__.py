"""The recipes that ship with fas, one YAML file each, run by name: `fas train NAME`."""
