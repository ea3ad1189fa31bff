"""Bringing xlcalc to a clerk's PC: the folder to install from, the installation, and what a doctor finds there."""
