"""Where dg looks for components, of which there are none; the definitions are in ``film_assets.learning.definitions``."""
