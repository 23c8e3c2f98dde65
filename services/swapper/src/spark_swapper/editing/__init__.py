"""Recipes as people edit them: flags, knobs, forms, previews, templates of the launcher."""
