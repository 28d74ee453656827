"""Label review: labelled-page files, and a local web page for correcting them."""
