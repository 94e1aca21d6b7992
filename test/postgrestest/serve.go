package postgrestest

// Serve starts a server for a program that is no test; stop ends it.
func Serve() (s *Server, stop func(), err error) {
	bin, err := programs()
	if err != nil {
		return nil, nil, err
	}
	if s, err = start(bin); err != nil {
		return nil, nil, err
	}
	return s, s.stop, nil
}
