"""How well raters, or one rater's readings, agree."""
