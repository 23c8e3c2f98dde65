"""Behaving stand-ins for the ports of audio-proxy, for tests."""
