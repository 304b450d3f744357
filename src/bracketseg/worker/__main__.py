"""Answer the requests that come in on standard input."""

from bracketseg.worker.serve import main

if __name__ == "__main__":
    main()
