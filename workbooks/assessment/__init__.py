"""The self-assessment report with its score, level and subsidy."""
