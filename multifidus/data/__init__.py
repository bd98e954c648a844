"""The nouns: anatomy, planes, images, outlines, protocols, measurements."""
