"""Installs NVIDIA's NIM containers on the Sparks, and removes them."""
