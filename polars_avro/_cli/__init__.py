"""The command line. Importing the package does not import this, nor the libraries it needs."""
