"""The components that ship with fas. Each sub-package is one plugin, found through its entry point."""
