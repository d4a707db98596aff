"""Pages and pictures of the site that are made from the code: none of this text is kept, so none is stale.

`docs/hooks.py` gives them to mkdocs; `tests/docs/test_site.py` reads them without it.
"""

from __future__ import annotations

from collections.abc import Mapping

from generate.commands import write_command_pages
from generate.components import write_components_page
from generate.messages import write_messages_page
from generate.project import write_project_pages
from generate.python_api import write_python_page
from generate.recipe import write_recipe_page


def write_pages() -> Mapping[str, str]:
    """Return the Markdown of every generated page, by its path below `docs/`."""
    return {
        **write_command_pages(),
        "reference/recipe.md": write_recipe_page(),
        "reference/components.md": write_components_page(),
        "reference/python.md": write_python_page(),
        "reference/messages.md": write_messages_page(),
        **write_project_pages(),
    }
