"""Labels from a language model: prompts, their answers, and the labelled pages made of both."""
