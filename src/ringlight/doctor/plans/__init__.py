"""Which checks a target has, and what each needs: every probe put together with its judgement."""
