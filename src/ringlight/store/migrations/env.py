"""What Alembic runs before the steps: it takes our connection, and leaves the transaction to us."""

from alembic import context


def run() -> None:
    """Make the steps in the transaction that is open."""
    # SQLite can take a change of tables back as PostgreSQL does; Alembic does not count on it by itself.
    context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name under which Alembic loads this file
    run()
