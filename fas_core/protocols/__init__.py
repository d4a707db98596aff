"""The protocols of `fas_core.contracts` for networks, data and learning, from where they are imported."""
