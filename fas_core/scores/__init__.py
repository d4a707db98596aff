"""Scores of samples: tables and files of them, error rates, thresholds and scores of videos."""
