"""Recipes: how to launch a model. Bundled ones, and the owner's on top of them."""

from spark_swapper.recipes.book import OVERRIDES, RecipeBook, RecipeSource, load_recipes
from spark_swapper.recipes.model import Recipe
from spark_swapper.recipes.store import Recipes

__all__ = ["OVERRIDES", "Recipe", "RecipeBook", "RecipeSource", "Recipes", "load_recipes"]
