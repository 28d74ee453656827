"""How the shipped model is made. Imports `classifier`; `classifier` never imports this."""
