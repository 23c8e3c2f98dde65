"""Infers how to launch a model nobody wrote a recipe for, from its files on a Spark."""

from spark_swapper.suggest.suggesting import Suggesting

__all__ = ["Suggesting"]
