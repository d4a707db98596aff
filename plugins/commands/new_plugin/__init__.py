"""`fas plugins new`: a complete distribution with one component, from the templates in `templates/`."""
