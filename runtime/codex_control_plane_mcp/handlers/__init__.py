"""What each tool does; `spec/tools` names the functions."""
