"""What each function asks of AWS, held against what its role allows: nothing outside, and nothing allowed in vain."""
