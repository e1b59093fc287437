"""What is felt: from music and from GSR + PPG signals to one of four emotion quadrants."""
