"""PreferenceElicitation-v0: find out what a traveller likes, and suggest the activity that suits them."""
