"""What Lightning gets wrong, or does slowly, and only its private names can mend. No other room uses these.

Seen in Lightning 2.6.6. Each mend has a test that fails when its name is gone, or when Lightning needs it no longer.
"""
