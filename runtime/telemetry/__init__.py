"""What a running system tells about itself: histograms of durations, logs, metrics."""
