"""What is said of a site: its edition, its citations, its licences, what it is made of."""
