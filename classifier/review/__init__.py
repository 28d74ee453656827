"""Label review: labelled-page files, and a local web page to correct them."""
