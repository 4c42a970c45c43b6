// A stage for a declarative Jenkinsfile, after the one that has deployed the new revision to the
// idle backend. The token is a credential of kind "secret text" with the id canary-token; it is
// made on the bot's machine: canary token create shop-ci --service shop --can start,read,abort
// CANARYBOT_PACKAGE is what pip is to install: the wheel of your own bot's version, as a path or a
// URL, or its name on your package index. It is on no public one.
pipeline {
    agent any
    environment {
        CANARY_SERVER = 'https://canary.example.com'
        CANARYBOT_PACKAGE = ''
    }
    stages {
        stage('Canary') {
            options {
                timeout(time: 130, unit: 'MINUTES')
                lock(resource: 'canary-shop')
            }
            steps {
                withCredentials([string(credentialsId: 'canary-token', variable: 'CANARY_TOKEN')]) {
                    sh '''
                        python3 -m venv .canary
                        .canary/bin/pip install --quiet "${CANARYBOT_PACKAGE:?set it to where your wheel is}"
                        exec .canary/bin/canary start shop "$GIT_COMMIT" --wait --timeout 2h \
                            --abort-on-cancel --reason "$BUILD_TAG" --git "..$GIT_COMMIT"
                    '''
                }
            }
        }
    }
}
