"""UCUM units: canonical codes and conversion factors."""
