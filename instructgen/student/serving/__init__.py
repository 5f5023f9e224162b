"""The student behind an HTTP server that speaks OpenAI's chat completions."""
