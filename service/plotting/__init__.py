"""A process of its own that draws one picture: it holds matplotlib, the API does not."""
