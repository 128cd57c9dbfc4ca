"""Personal data becomes keyed tokens before anything is stored or sent; who must know it asks two people."""
