"""For the lecture hall: site, slides, hand-outs, grading; built from notebooks/."""
