"""Sphinx configuration."""

from __future__ import annotations

import os

os.environ.setdefault("MPLBACKEND", "Agg")

from clinicadl_trust import __version__

project = "clinicadl-trust"
author = "The clinicadl-trust developers"
copyright = "2026, the clinicadl-trust developers"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_click",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "README.md"]
nitpicky = False
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"__init__\.py",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "remove_config_comments": True,
    # Tables are shown, what else a line returns is not.
    "capture_repr": ("_repr_html_",),
}

html_theme = "pydata_sphinx_theme"
html_title = f"clinicadl-trust {version}"
html_static_path = ["_static"]
html_css_files = ["gallery.css"]
html_theme_options = {"show_prev_next": False, "navigation_with_keys": True}
html_show_sourcelink = False
