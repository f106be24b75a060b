"""What the sites of others embed: counters, badges, the button's script, oEmbed."""
