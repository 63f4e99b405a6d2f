"""The tests beside this file import the client as it was installed from its folder."""
import python_client

python_client.environment().importable()
