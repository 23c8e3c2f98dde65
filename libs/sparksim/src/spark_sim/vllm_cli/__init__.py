"""The command line of vLLM 0.33 as a container of a Spark has it. Standard library only.

These modules are copied into the containers and run there by a real Python, so that a
pre-flight script which imports vLLM's own parser meets one.
"""
