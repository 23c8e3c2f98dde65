"""From a recipe to what is started on the Sparks."""
