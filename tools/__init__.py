"""Small programs behind the Makefile; no notebook needs them."""
