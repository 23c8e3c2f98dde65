"""Recipes of the launcher's checkout on a Spark, read as templates; nothing of them is run."""

from spark_swapper.templates.listing import Templating

__all__ = ["Templating"]
